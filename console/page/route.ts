import { useEffect, useState } from 'preact/hooks';

/** What the page shows, as the part of its address behind `#`. */
export type Route =
  | { readonly view: 'overview' }
  | { readonly view: 'consumer' | 'letters' | 'parked'; readonly consumer: string }
  | { readonly view: 'group'; readonly consumer: string; readonly fingerprint: string }
  | { readonly view: 'letter'; readonly consumer: string; readonly id: string };

export function hrefOf(route: Route): string {
  if (route.view === 'overview') return '#/';
  const more = route.view === 'group' ? [route.fingerprint] : route.view === 'letter' ? [route.id] : [];
  return `#/${[route.view, route.consumer, ...more].map(encodeURIComponent).join('/')}`;
}

function routeOf(hash: string): Route {
  try {
    const [view, consumer, more] = hash.replace(/^#\/?/, '').split('/').map(decodeURIComponent);
    if (consumer && (view === 'consumer' || view === 'letters' || view === 'parked')) return { view, consumer };
    if (consumer && more && view === 'group') return { view, consumer, fingerprint: more };
    if (consumer && more && view === 'letter') return { view, consumer, id: more };
  } catch {
    // An address that somebody broke shows the overview.
  }
  return { view: 'overview' };
}

export function useRoute(): Route {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const onChange = () => setHash(location.hash);
    addEventListener('hashchange', onChange);
    return () => removeEventListener('hashchange', onChange);
  }, []);
  return routeOf(hash);
}
