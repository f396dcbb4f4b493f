-- Up Migration

-- Grows with each revocation: a list of revoked certificates that was signed at one revision holds until there is another.
CREATE TABLE certificate_revocations (revision bigint NOT NULL);
INSERT INTO certificate_revocations VALUES (0);

CREATE FUNCTION count_revocation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE certificate_revocations SET revision = revision + 1;
  RETURN NULL;
END $$;
CREATE TRIGGER count_revocation AFTER UPDATE OF revoked_at ON issued_certificates FOR EACH ROW
  WHEN (old.revoked_at IS DISTINCT FROM new.revoked_at) EXECUTE FUNCTION count_revocation();
