import type { Evidence, Finding } from '../evidence.ts';
import { judgeLedger } from './judge-ledger.ts';
import { judgeLetters } from './judge-letters.ts';
import { judgeLoss } from './judge-loss.ts';
import { judgeOrder } from './judge-order.ts';
import { judgeRepeats } from './judge-repeats.ts';
import { judgeStandstill } from './judge-standstill.ts';

/** Every promise of docs/guarantees.md that a run can break, judged by what is left of it. Shares no code with the runtime. */
export function judge(evidence: Evidence): readonly Finding[] {
  return [
    ...judgeStandstill(evidence),
    ...judgeLoss(evidence),
    ...judgeRepeats(evidence),
    ...judgeOrder(evidence),
    ...judgeLetters(evidence),
    ...judgeLedger(evidence),
    ...evidence.untrueAnswers.map((text): Finding => ({ promise: 'answer', text })),
    ...evidence.abandoned.map((text): Finding => ({ promise: 'abandoned', text })),
  ];
}
