import { getContainerRuntimeClient } from 'testcontainers';
import type { StartedTestContainer } from 'testcontainers';

const FREEZE_TRIES = 10;

/** `mqttLink`: broker, database, gateways and managers. `edge`: gateways and the load balancer. */
export type NetworkName = 'internal' | 'edge';

/** A container that can be harmed and helped up again under the same name, address and ports. */
export interface Part {
  name: string;
  /** kill -9. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** SIGTERM; resolves when it has ended, with its exit code. */
  stop(): Promise<number>;
  /** Frozen: it holds its connections and answers nothing. */
  pause(): Promise<void>;
  unpause(): Promise<void>;
  /** Off a network, and on it again. */
  leave(network: NetworkName): Promise<void>;
  join(network: NetworkName): Promise<void>;
  /** Bytes of memory that its processes hold. */
  memory(): Promise<number>;
  exec(command: string[]): Promise<string>;
  /** Port on this machine of one of its own. */
  port(inside: number): number;
}

/** Makes a part of a container; `ports` are those inside, and on this machine. */
export async function partOf(
  name: string,
  started: StartedTestContainer,
  { ports, networkId }: { ports: Map<number, number>; networkId: (network: NetworkName) => string },
): Promise<Part> {
  const { dockerode } = (await getContainerRuntimeClient()).container;
  const id = started.getId();
  const container = dockerode.getContainer(id);
  // As in docker-compose.yml: a manager that starts while PostgreSQL is away is started again.
  await container.update({ RestartPolicy: { Name: 'unless-stopped' } });
  const network = (word: NetworkName) => dockerode.getNetwork(networkId(word));
  const alias = name.replace(/-\d+$/, '');
  return {
    name,
    kill: async () => void (await container.kill()),
    start: async () => void (await container.start()),
    stop: async () => {
      await container.stop({ t: 30 });
      return (await container.inspect()).State.ExitCode;
    },
    pause: () => freeze(container),
    unpause: async () => void (await container.unpause()),
    leave: async (word) => void (await network(word).disconnect({ Container: id })),
    join: async (word) =>
      void (await network(word).connect({ Container: id, EndpointConfig: { Aliases: [alias] } })),
    memory: async () => {
      const { output } = await started.exec(['cat', '/proc/1/status']);
      return Number(/VmRSS:\s+(\d+) kB/.exec(output)?.[1] ?? 0) * 1024;
    },
    exec: async (command) => (await started.exec(command)).output,
    port: (inside) => ports.get(inside) ?? 0,
  };
}

// On a busy machine the kernel may not get to freeze all processes in time: runc then thaws them and says so.
async function freeze(container: { pause(): Promise<unknown> }): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await container.pause();
      return;
    } catch (error) {
      if (tries === FREEZE_TRIES || !String(error).includes('unable to freeze')) throw error;
    }
  }
}
