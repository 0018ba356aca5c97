-- What ends a loop between two robots: keyed hashes of an e-mail's sender, thread and normalised text.
ALTER TABLE messages ADD COLUMN sender_hash bytea;
ALTER TABLE messages ADD COLUMN thread_hash bytea;
ALTER TABLE messages ADD COLUMN text_hash bytea;
CREATE INDEX messages_sender ON messages (sender_hash, stored_at) WHERE sender_hash IS NOT NULL;
CREATE INDEX messages_thread ON messages (thread_hash, stored_at) WHERE thread_hash IS NOT NULL;
