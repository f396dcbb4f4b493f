-- Up Migration

CREATE INDEX tags_by_parent ON tags (lower(parent_id_tag)) WHERE parent_id_tag IS NOT NULL;
