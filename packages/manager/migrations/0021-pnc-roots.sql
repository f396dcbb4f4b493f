-- Up Migration

-- What contract certificates are checked against. Those that are not self-signed are sub-CAs, which help to build chains.
CREATE TABLE pnc_roots (
  -- SHA-256 of the DER, in hex.
  fingerprint text PRIMARY KEY,
  certificate_type text NOT NULL CHECK (certificate_type IN ('V2GRootCertificate', 'MORootCertificate')),
  is_self_signed boolean NOT NULL,
  pem text NOT NULL,
  serial_number text NOT NULL,
  subject text NOT NULL,
  issuer text NOT NULL,
  valid_from timestamptz NOT NULL,
  valid_to timestamptz NOT NULL,
  note text,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- What OCSP responders have said, until it is out of date. Not trusted for being here: it is checked again at each use.
CREATE TABLE ocsp_answers (
  responder_url text NOT NULL,
  hash_algorithm text NOT NULL,
  -- Lower case; the serial number without leading zeros.
  issuer_name_hash text NOT NULL,
  issuer_key_hash text NOT NULL,
  serial_key text NOT NULL,
  response bytea NOT NULL,
  fetched_at timestamptz NOT NULL,
  valid_until timestamptz NOT NULL,
  PRIMARY KEY (issuer_name_hash, issuer_key_hash, serial_key, hash_algorithm, responder_url)
);
CREATE INDEX ocsp_answers_by_age ON ocsp_answers (valid_until);
