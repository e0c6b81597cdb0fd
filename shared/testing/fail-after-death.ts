/**
 * A port that dies with its process. After that its calls do nothing and never resolve.
 *
 * @param isAlive - called before each call, and again before each answer
 */
export function failAfterDeath<T extends object>(port: T, isAlive: () => boolean): T {
  return new Proxy(port, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...given: unknown[]) => {
        if (!isAlive()) return new Promise(() => undefined);
        const answer: unknown = member.apply(target, given);
        if (!(answer instanceof Promise)) return answer;
        return new Promise((resolve, reject) => {
          answer.then(
            (value) => isAlive() && resolve(value),
            (error: unknown) => isAlive() && reject(error),
          );
        });
      };
    },
  });
}
