-- Up Migration

-- Groups count the stations of their prefix; in this order those of a prefix stand together.
CREATE INDEX stations_by_prefix ON stations ((station_id COLLATE "C"));
