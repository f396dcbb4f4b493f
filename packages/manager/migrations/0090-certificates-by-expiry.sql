-- Up Migration

-- Retention removes certificates by their expiry.
CREATE INDEX issued_certificates_by_expiry ON issued_certificates (valid_to);
