-- Up Migration

-- The value that the station accepted from us last; null where it was never changed by us. Readings leave it: a station may report what it
-- got with its last boot.
ALTER TABLE configuration_keys ADD COLUMN accepted_value text;
