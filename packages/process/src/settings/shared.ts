import { setting } from './setting.ts';

/** Settings that both gateway and manager read or rely on. */
export const SHARED_SETTINGS = {
  host: setting('EVANDER_HOST', 'text', '127.0.0.1', 'Address that the servers listen on; 0.0.0.0 for all'),
  trustedProxies: setting(
    'EVANDER_TRUSTED_PROXIES',
    'networks',
    undefined,
    'Proxies and load balancers whose PROXY protocol (v1, v2), X-Forwarded-For and X-Forwarded-Proto are trusted, such as 10.0.0.0/8,192.0.2.7',
  ),
  mqttUrl: setting(
    'EVANDER_MQTT_URL',
    'mqttUrl',
    undefined,
    'MQTT broker with shared subscriptions; for TLS use mqtts:// and ?cafile=…&certfile=…&keyfile=…. If unset, `start` runs its own',
  ),
  mqttPrefix: setting('EVANDER_MQTT_PREFIX', 'topicLevel', 'cs', 'First level of every topic'),
  heartbeatSeconds: setting(
    'EVANDER_HEARTBEAT_SECONDS',
    'count',
    300,
    'Heartbeat interval for accepted stations',
  ),
  answerTimeoutSeconds: setting(
    'EVANDER_ANSWER_TIMEOUT_SECONDS',
    'count',
    60,
    'Seconds that a station may take to answer a command',
  ),
  drainSeconds: setting(
    'EVANDER_DRAIN_SECONDS',
    'count',
    10,
    'Seconds that a stopping process may take to finish its work',
  ),
  logLevel: setting(
    'EVANDER_LOG_LEVEL',
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal'],
    'info',
    'Lowest log level to write',
  ),
};
