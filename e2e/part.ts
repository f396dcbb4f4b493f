import { getContainerRuntimeClient } from 'testcontainers';
import type { StartedTestContainer } from 'testcontainers';

const FREEZE_TRIES = 10;

/** `internal`: broker, database, gateways and managers. `edge`: gateways and the load balancer. */
export type NetworkName = 'internal' | 'edge';

/** A container that can be harmed and restored with the same name, address and ports. */
export interface Part {
  name: string;
  /** kill -9. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** SIGTERM; resolves with its exit code when it has ended. */
  stop(): Promise<number>;
  /** Freezes it: it keeps its connections and answers nothing. */
  pause(): Promise<void>;
  unpause(): Promise<void>;
  /** Disconnects it from a network, and connects it again. */
  leave(network: NetworkName): Promise<void>;
  join(network: NetworkName): Promise<void>;
  /** Memory of its processes in bytes. */
  memory(): Promise<number>;
  exec(command: string[]): Promise<string>;
  /** The port on this machine for one of its own ports. */
  port(inside: number): number;
}

/** Wraps a container as a part; `ports` maps its ports to those on this machine. */
export async function partOf(
  name: string,
  started: StartedTestContainer,
  { ports, networkId }: { ports: Map<number, number>; networkId: (network: NetworkName) => string },
): Promise<Part> {
  const { dockerode } = (await getContainerRuntimeClient()).container;
  const id = started.getId();
  const container = dockerode.getContainer(id);
  // As in docker-compose.yml: a manager that starts while PostgreSQL is away is restarted.
  await container.update({ RestartPolicy: { Name: 'unless-stopped' } });
  const network = (name: NetworkName) => dockerode.getNetwork(networkId(name));
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
    leave: async (name) => void (await network(name).disconnect({ Container: id })),
    join: async (name) =>
      void (await network(name).connect({ Container: id, EndpointConfig: { Aliases: [alias] } })),
    memory: async () => {
      const { output } = await started.exec(['cat', '/proc/1/status']);
      return Number(/VmRSS:\s+(\d+) kB/.exec(output)?.[1] ?? 0) * 1024;
    },
    exec: async (command) => (await started.exec(command)).output,
    port: (inside) => ports.get(inside) ?? 0,
  };
}

// On a busy machine the kernel may not freeze all processes in time: runc then thaws them and reports it.
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
