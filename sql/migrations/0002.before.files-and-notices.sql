-- Files that came along with their contents, texts of ours that answer nobody, and what proves an address.

-- Contents, each under a key of its own. Until its message is stored that key is wrapped by the master key;
-- then it is sealed under the customer's, so that erasing the customer destroys it.
CREATE TABLE blobs (
    id          uuid PRIMARY KEY,
    customer_id uuid REFERENCES customers (id),
    key_enc     bytea NOT NULL,
    data_enc    bytea NOT NULL,
    size        bigint NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX blobs_orphans ON blobs (created_at) WHERE customer_id IS NULL;
CREATE INDEX blobs_customer ON blobs (customer_id) WHERE customer_id IS NOT NULL;

-- A notice is a fixed text of ours, such as a code or a link to confirm: it answers nobody and is no history.
ALTER TABLE messages ADD COLUMN kind text NOT NULL DEFAULT 'message' CHECK (kind IN ('message', 'notice'));
-- The message as the provider had it: RFC 822 for e-mail.
ALTER TABLE messages ADD COLUMN raw_blob_id uuid REFERENCES blobs (id);

-- What came along with a message. waiting: to be fetched from its provider; refused, gone: with the reason.
CREATE TABLE attachments (
    id           uuid PRIMARY KEY,
    message_id   uuid NOT NULL REFERENCES messages (id),
    customer_id  uuid NOT NULL REFERENCES customers (id),
    ordinal      int NOT NULL,
    name_enc     bytea NOT NULL,
    content_type text NOT NULL,
    size         bigint NOT NULL,
    sha256       bytea,
    pages        int,
    text_enc     bytea,
    state        text NOT NULL CHECK (state IN ('kept', 'waiting', 'refused', 'gone')),
    reason       text,
    ref_enc      bytea,
    blob_id      uuid REFERENCES blobs (id),
    attempts     int NOT NULL DEFAULT 0,
    UNIQUE (message_id, ordinal)
);
CREATE INDEX attachments_customer ON attachments (customer_id);
CREATE INDEX attachments_waiting ON attachments (message_id) WHERE state = 'waiting';

-- A delivery that its channel refused and another channel took over.
ALTER TABLE deliveries DROP CONSTRAINT deliveries_status_check;
ALTER TABLE deliveries ADD CONSTRAINT deliveries_status_check CHECK (status IN
    ('queued', 'sending', 'unknown', 'deferred', 'sent', 'delivered', 'read', 'failed', 'rerouted', 'superseded'));
ALTER TABLE deliveries ADD COLUMN rerouted_to uuid REFERENCES deliveries (id);

-- What was sent to an address to prove whose it is: a link to click, or a code to say. secret is a keyed hash;
-- the identifier is the one to be proven, and customer_id who asks.
CREATE TABLE verifications (
    id              uuid PRIMARY KEY,
    kind            text NOT NULL CHECK (kind IN ('link', 'code')),
    customer_id     uuid NOT NULL REFERENCES customers (id),
    conversation_id uuid NOT NULL REFERENCES conversations (id),
    identifier_kind text NOT NULL CHECK (identifier_kind IN ('email', 'phone')),
    lookup          bytea NOT NULL,
    value_enc       bytea NOT NULL,
    secret          bytea NOT NULL,
    attempts        int NOT NULL DEFAULT 0,
    delivery_id     uuid REFERENCES deliveries (id),
    created_at      timestamptz NOT NULL DEFAULT now(),
    expires_at      timestamptz NOT NULL,
    used_at         timestamptz
);
CREATE INDEX verifications_lookup ON verifications (identifier_kind, lookup, created_at);
CREATE INDEX verifications_conversation ON verifications (conversation_id, created_at);
CREATE UNIQUE INDEX verifications_secret ON verifications (secret) WHERE kind = 'link';

-- What a customer thought of the answer: once a ticket, the last word counts.
CREATE TABLE ratings (
    ticket_id       text PRIMARY KEY REFERENCES tickets (id),
    conversation_id uuid NOT NULL REFERENCES conversations (id),
    customer_id     uuid NOT NULL REFERENCES customers (id),
    channel         text NOT NULL CHECK (channel IN ('email', 'whatsapp', 'web')),
    score           int NOT NULL CHECK (score BETWEEN 1 AND 5),
    comment_enc     bytea,
    rated_at        timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ratings_conversation ON ratings (conversation_id);
