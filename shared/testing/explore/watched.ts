import { types } from 'node:util';
import { dataCopy, isPlain } from './data-copy.ts';

/** The gate between a process and its world. */
export interface Gate {
  /** A call of a method. `perform` does it. The caller gets what the gate returns. */
  call(name: string, given: readonly unknown[], perform: () => unknown): unknown;
  /** A member is set. */
  set(name: string, value: unknown, perform: () => boolean): boolean;
}

/**
 * The world as one process sees it. Every call of a method, on it or on objects in it, and every assignment of a member goes
 * through the gate of that process. Methods run on the object itself, so private members work.
 */
export function watched<W extends object>(world: W, gate: Gate, path = ''): W {
  const known = new WeakMap<object, object>();
  const watch = <T extends object>(target: T, name: string): T => {
    const before = known.get(target);
    if (before !== undefined) return before as T;
    const call = (method: (...given: unknown[]) => unknown, self: unknown, given: readonly unknown[], called: string) =>
      gate.call(called, given, () => {
        const result = method.apply(self, given.map(dataCopy));
        if (types.isPromise(result)) return result.then((answer) => answered(answer, called));
        return isObject(result) && isWatchable(result) ? watch(result, `${called}()`) : result;
      });
    const answered = (answer: unknown, called: string) =>
      isObject(answer) && isWatchable(answer) ? watch(answer, `${called}()`) : dataCopy(answer);
    const proxy = new Proxy(target, {
      get(_, member) {
        const value: unknown = Reflect.get(target, member, target);
        if (typeof member === 'symbol' || member === 'constructor')
          return typeof value === 'function' && typeof member === 'symbol' ? value.bind(target) : value;
        if (isFixed(target, member)) return value;
        if (typeof value === 'function')
          return (...given: unknown[]) =>
            call(value as (...given: unknown[]) => unknown, target, given, joined(name, member));
        return isObject(value) ? watch(value, joined(name, member)) : value;
      },
      set: (_, member, value) =>
        gate.set(joined(name, String(member)), value, () => Reflect.set(target, member, value, target)),
      apply: (_, self, given) =>
        call(target as unknown as (...given: unknown[]) => unknown, self, given, name === '' ? 'world' : name),
    });
    known.set(target, proxy);
    return proxy;
  };
  return watch(world, path);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function joined(name: string, member: string): string {
  return name === '' ? member : `${name}.${member}`;
}

/** A proxy must return such a member unchanged. */
function isFixed(target: object, member: string): boolean {
  const found = Object.getOwnPropertyDescriptor(target, member);
  return found !== undefined && !found.configurable && !found.writable && found.get === undefined;
}

/** Whether a call returns an object with calls of its own: a table, a connection, a transaction, a response. */
function isWatchable(answer: object): boolean {
  if (isPlain(answer)) return Object.values(answer).some((member) => typeof member === 'function');
  if (Array.isArray(answer) || answer instanceof Error) return false;
  return !(
    types.isProxy(answer) ||
    types.isDate(answer) ||
    types.isRegExp(answer) ||
    types.isMap(answer) ||
    types.isSet(answer) ||
    ArrayBuffer.isView(answer) ||
    types.isAnyArrayBuffer(answer)
  );
}
