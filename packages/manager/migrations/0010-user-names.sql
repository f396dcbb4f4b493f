-- Up Migration

-- The Basic user name of a station that does not send its own id, as OCPP-J wants (field-quirks 13); null: its id.
ALTER TABLE stations ADD COLUMN user_name text;
