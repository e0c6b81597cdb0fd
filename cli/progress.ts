import { duration, number } from './words.ts';

const BAR = 30;

/** A progress bar with amount, speed and remaining time. */
export class Progress {
  readonly #startedAt: number;

  constructor(now: number) {
    this.#startedAt = now;
  }

  text(done: number, total: number, now: number): string {
    const share = total === 0 ? 1 : done / total;
    const full = Math.round(share * BAR);
    const seconds = Math.max(0.001, (now - this.#startedAt) / 1_000);
    const perSecond = done / seconds;
    const left = done === 0 || done === total ? '' : `, ${duration(((total - done) / perSecond) * 1_000)} left`;
    return `${'█'.repeat(full)}${'░'.repeat(BAR - full)} ${Math.floor(share * 100)} %  ${number(done)} of ${number(total)}, ${number(Math.round(perSecond))}/s${left}`;
  }
}
