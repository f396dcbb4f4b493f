-- Up Migration

-- The dialect of Plug & Charge that the station last spoke: ours to it go in the same.
ALTER TABLE stations ADD COLUMN pnc_dialect text CHECK (pnc_dialect IN ('oca', 'has2be'));

-- A tag that is an eMAID, in the form in which eMAIDs are compared: without - and check digit. That it is one shows in its - or, where
-- it has none, in the C of contracts; any other tag of 14 or 15 characters is no contract.
ALTER TABLE tags ADD COLUMN emaid_key text GENERATED ALWAYS AS (
  CASE WHEN id_tag_key ~ '^[a-z]{2}-[a-z0-9]{3}-[a-z0-9]{9}(-?[a-z0-9])?$|^[a-z]{2}-?[a-z0-9]{3}-?c[a-z0-9]{8}(-?[a-z0-9])?$'
    THEN left(replace(id_tag_key, '-', ''), 14) END) STORED;
CREATE INDEX tags_by_emaid ON tags (emaid_key) WHERE emaid_key IS NOT NULL;
