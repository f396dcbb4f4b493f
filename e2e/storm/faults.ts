import type { Random } from '@evander/station';
import type { Part } from '../part.ts';
import type { System } from '../system.ts';

/** The harm to one part of the system, and its duration. */
export interface Hit {
  part: string;
  how: 'kill -9' | 'SIGSTOP';
  forMs: number;
}

/** One fault: one part, or two at the same time. */
export interface Fault {
  /** The pause before it. */
  afterMs: number;
  hits: Hit[];
}

const TWO_PARTS_PROBABILITY = 0.3;

/** The next fault of the schedule; the same seed and parts give the same one. */
export function drawFault(random: Random, parts: readonly string[]): Fault {
  const afterMs = Math.round(random.between(1000, 3000));
  const left = [...parts];
  const count = random.next() < TWO_PARTS_PROBABILITY ? 2 : 1;
  const hits = Array.from({ length: count }, (): Hit => {
    const [part = ''] = left.splice(Math.floor(random.between(0, left.length)), 1);
    const how = random.next() < 0.6 ? 'kill -9' : 'SIGSTOP';
    return { part, how, forMs: Math.round(random.between(800, 5000)) };
  });
  return { afterMs, hits };
}

/** Describes the fault in one line. */
export function describeFault({ afterMs, hits }: Fault): string {
  const what = hits.map(({ part, how, forMs }) => `${how} ${part} for ${forMs} ms`);
  return `after ${afterMs} ms: ${what.join(', ')}`;
}

/** Inflicts the fault and ends it; resolves once every gateway and manager is ready again. */
export async function inflict(system: System, { hits }: Fault): Promise<void> {
  await Promise.all(hits.map((hit) => strike(partOf(system, hit.part), hit)));
  const processes = [...system.managers, ...system.gateways];
  await Promise.all(processes.map((part) => system.ready(part)));
}

async function strike(part: Part, { how, forMs }: Hit): Promise<void> {
  const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, forMs));
  if (how === 'SIGSTOP') {
    await part.pause();
    await pause();
    await part.unpause();
  } else {
    await part.kill();
    await pause();
    await part.start();
  }
}

function partOf(system: System, name: string): Part {
  const parts = [...system.managers, ...system.gateways, system.broker, system.postgres];
  const part = parts.find((one) => one.name === name);
  if (!part) throw new Error(`there is no part ${name}`);
  return part;
}
