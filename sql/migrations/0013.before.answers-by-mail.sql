-- An answer on a ticket's page that is mailed to its customer too: once at most, and no second answer.
ALTER TABLE messages DROP CONSTRAINT messages_kind_check;
ALTER TABLE messages ADD CONSTRAINT messages_kind_check CHECK (kind IN ('message', 'notice', 'copy'));
ALTER TABLE messages ADD COLUMN copy_of uuid REFERENCES messages (id);
CREATE UNIQUE INDEX messages_copy_of ON messages (copy_of) WHERE copy_of IS NOT NULL;
