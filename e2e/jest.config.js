import base from '../jest.config.js';

// Its image is a registry away; what a crashed run leaves behind is removed by the next one (system.ts).
process.env.TESTCONTAINERS_RYUK_DISABLED ??= 'true';

/** One file after the other: each has the machine to itself. PostgreSQL runs in a container here. */
const config = {
  ...base,
  rootDir: '..',
  testMatch: ['<rootDir>/e2e/**/*.test.ts'],
  maxWorkers: 1,
  testTimeout: 300_000,
};
delete config.globalSetup;
delete config.globalTeardown;
export default config;
