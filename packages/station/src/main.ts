#!/usr/bin/env node
import { EXIT, HELP, readCommandLine } from './cli/command-line.ts';
import { simulate } from './cli/simulate.ts';
import { UsageError } from './options/usage-error.ts';

// A reader that has read enough, such as `head`, ends the program without a stack trace.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

try {
  const commandLine = readCommandLine(process.argv.slice(2));
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
  if (!commandLine) process.stdout.write(HELP);
  else process.exitCode = await simulate(commandLine, (line) => console.log(line), interrupted.signal);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\npnpm station --help shows all options`);
  process.exitCode = EXIT.usage;
}
