import { START } from '../../../shared/testing/scheduler.ts';
import type { Settings } from '../settings.ts';
import type { Truth } from '../truth.ts';
import { BoundedTries } from './bounded-tries.ts';
import { Fencing } from './fencing.ts';
import { NeverUnseen } from './never-unseen.ts';
import { NoFalseStop } from './no-false-stop.ts';
import { NoLoss } from './no-loss.ts';
import { OneOrTheOther } from './one-or-the-other.ts';
import type { Oracle } from './oracle.ts';
import { Order } from './order.ts';
import { ParkedKeys } from './parked-keys.ts';
import { Repeats } from './repeats.ts';
import { TrueAnswer } from './true-answer.ts';

/** One oracle for each promise of docs/guarantees.md. None shares code with the runtime. */
export function oracles(settings: Settings, truth: Truth, parkedKeys: (place: string) => number): readonly Oracle[] {
  return [
    new NoLoss(settings, truth),
    new Order(settings, truth),
    new Repeats(settings, truth),
    new BoundedTries(settings, truth),
    new Fencing(START),
    new OneOrTheOther(truth),
    new TrueAnswer(truth),
    new NoFalseStop(settings, truth),
    new NeverUnseen(truth),
    new ParkedKeys(settings, truth, parkedKeys),
  ];
}
