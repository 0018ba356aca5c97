-- The CRM: what the migrations add up to (a test compares the two).
--
-- Columns named *_enc hold AES-256-GCM ciphertext under the customer's data key (privacy/vault);
-- columns named lookup hold a keyed hash. A dump of this database shows no address and no text.

CREATE EXTENSION IF NOT EXISTS vector;

-- A customer. Erasing one destroys data_key: what it encrypted is gone, the ids stay as tombstones.
CREATE TABLE customers (
    id          uuid PRIMARY KEY,
    data_key    bytea,
    name_enc    bytea,
    merged_into uuid REFERENCES customers (id),
    created_at  timestamptz NOT NULL DEFAULT now(),
    erased_at   timestamptz,
    CHECK (data_key IS NOT NULL OR erased_at IS NOT NULL)
);
CREATE INDEX customers_merged_into ON customers (merged_into) WHERE merged_into IS NOT NULL;

-- Who is reached where. Only a verified identifier is unique and resolves a message; a claimed one
-- is a note beside a conversation.
CREATE TABLE customer_identifiers (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id     uuid NOT NULL REFERENCES customers (id),
    kind            text NOT NULL CHECK (kind IN ('email', 'phone')),
    lookup          bytea NOT NULL,
    value_enc       bytea NOT NULL,
    trust           text NOT NULL CHECK (trust IN ('verified', 'claimed')),
    conversation_id uuid,
    created_at      timestamptz NOT NULL DEFAULT now(),
    -- When a verified identifier last proved whose it is: numbers are given to other people in time.
    seen_at         timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX customer_identifiers_verified ON customer_identifiers (kind, lookup) WHERE trust = 'verified';
CREATE INDEX customer_identifiers_customer ON customer_identifiers (customer_id);
CREATE INDEX customer_identifiers_lookup ON customer_identifiers (kind, lookup);

-- One matter of one customer over all channels: a mailbox with one worker (the lease).
CREATE TABLE conversations (
    id               uuid PRIMARY KEY,
    customer_id      uuid NOT NULL REFERENCES customers (id),
    trust            text NOT NULL CHECK (trust IN ('verified', 'claimed', 'held')),
    state            text NOT NULL DEFAULT 'agent' CHECK (state IN ('agent', 'human', 'closed')),
    -- Bumped by everything that makes a turn under way obsolete: takeover, return, close, merge, erase.
    epoch            bigint NOT NULL DEFAULT 0,
    arrived          bigint NOT NULL DEFAULT 0,
    lease_token      uuid,
    lease_event      text,
    lease_expires    timestamptz,
    last_channel     text NOT NULL CHECK (last_channel IN ('email', 'whatsapp', 'web')),
    metadata         jsonb NOT NULL DEFAULT '{}',
    created_at       timestamptz NOT NULL DEFAULT now(),
    last_activity_at timestamptz NOT NULL DEFAULT now(),
    -- When a person got it: who has not spoken since is waited for, also where no message of the customer's waits.
    handed_over_at   timestamptz
);
CREATE INDEX conversations_customer ON conversations (customer_id, last_activity_at DESC);
CREATE INDEX conversations_human ON conversations (last_activity_at) WHERE state = 'human';

-- Where an answer goes: an e-mail thread, a WhatsApp number, a ticket's page. key is a keyed hash.
CREATE TABLE routes (
    id              uuid PRIMARY KEY,
    channel         text NOT NULL CHECK (channel IN ('email', 'whatsapp', 'web')),
    key             bytea NOT NULL,
    customer_id     uuid NOT NULL REFERENCES customers (id),
    conversation_id uuid NOT NULL REFERENCES conversations (id),
    address_enc     bytea NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (channel, key)
);
CREATE INDEX routes_conversation ON routes (conversation_id);
CREATE INDEX routes_customer ON routes (customer_id);

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

CREATE TABLE messages (
    id                  uuid PRIMARY KEY,
    conversation_id     uuid NOT NULL REFERENCES conversations (id),
    customer_id         uuid NOT NULL REFERENCES customers (id),
    route_id            uuid NOT NULL REFERENCES routes (id),
    channel             text NOT NULL CHECK (channel IN ('email', 'whatsapp', 'web')),
    author              text NOT NULL CHECK (author IN ('customer', 'agent', 'human')),
    -- A notice is a fixed text of ours, such as a code or a link to confirm: it answers nobody and is no history.
    -- A copy is an answer on a ticket's page as it is mailed too: the answer is the one that it copies.
    kind                text NOT NULL DEFAULT 'message' CHECK (kind IN ('message', 'notice', 'copy')),
    copy_of             uuid REFERENCES messages (id),
    trust               text NOT NULL CHECK (trust IN ('verified', 'claimed', 'held')),
    -- The provider's id of an inbound message; null for ours.
    provider_message_id text,
    subject_enc         bytea,
    body_enc            bytea NOT NULL,
    -- Threading headers, attachments and the quoted original, as JSON.
    details_enc         bytea,
    -- The message as the provider had it: RFC 822 for e-mail.
    raw_blob_id         uuid REFERENCES blobs (id),
    -- Whether the agent's text hands over to a person instead of answering.
    handoff             boolean NOT NULL DEFAULT false,
    received_at         timestamptz NOT NULL,
    stored_at           timestamptz NOT NULL DEFAULT now(),
    seq                 bigint GENERATED ALWAYS AS IDENTITY,
    attempts            int NOT NULL DEFAULT 0,
    outcome             text CHECK (outcome IN ('replied', 'escalated', 'ignored')),
    outcome_reason      text,
    outcome_at          timestamptz,
    -- The message of ours that answers this one.
    reply_id            uuid REFERENCES messages (id),
    -- Whether the sender was known when the message came: claimed senders are neither.
    known               text CHECK (known IN ('yes', 'no', 'claimed')),
    -- The customer took the message back, or wrote another in its place.
    withdrawn_at        timestamptz,
    -- Twilio's id of the message that this one takes back or replaces: it may be stored after us.
    withdraws           text,
    -- Keyed hashes of an e-mail, by which a loop between two robots is noticed.
    sender_hash         bytea,
    thread_hash         bytea,
    text_hash           bytea,
    -- What its words are like: minima of keyed hashes.
    text_likeness       bytea,
    -- How the customer sounds in it, -1 to 1; null for ours, for what nobody need read, and for what came before.
    mood                double precision,
    UNIQUE (channel, provider_message_id),
    CHECK (author = 'customer' OR provider_message_id IS NULL)
);
CREATE INDEX messages_conversation ON messages (conversation_id, seq);
CREATE UNIQUE INDEX messages_copy_of ON messages (copy_of) WHERE copy_of IS NOT NULL;
CREATE INDEX messages_route ON messages (route_id, seq);
CREATE INDEX messages_customer ON messages (customer_id, seq DESC);
CREATE INDEX messages_sender ON messages (sender_hash, stored_at) WHERE sender_hash IS NOT NULL;
CREATE INDEX messages_thread ON messages (thread_hash, stored_at) WHERE thread_hash IS NOT NULL;
CREATE INDEX messages_open ON messages (stored_at) WHERE author = 'customer' AND outcome IS NULL;
CREATE INDEX messages_withdraws ON messages (route_id, withdraws) WHERE withdraws IS NOT NULL;
-- For the listing of what was missed: which ids are stored since a time.
CREATE INDEX messages_whatsapp ON messages (received_at) WHERE channel = 'whatsapp' AND provider_message_id IS NOT NULL;

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
    -- When a file that is still at its provider may be asked for again; a claim of whoever asks.
    next_at      timestamptz,
    UNIQUE (message_id, ordinal)
);
CREATE INDEX attachments_customer ON attachments (customer_id);
CREATE INDEX attachments_waiting ON attachments (message_id) WHERE state = 'waiting';

CREATE TABLE tickets (
    id              text PRIMARY KEY,
    conversation_id uuid NOT NULL REFERENCES conversations (id),
    customer_id     uuid NOT NULL REFERENCES customers (id),
    channel         text NOT NULL CHECK (channel IN ('email', 'whatsapp', 'web')),
    status          text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'escalated', 'closed')),
    category        text NOT NULL DEFAULT 'general' CHECK (category IN ('general', 'technical', 'billing', 'feedback')),
    priority        text NOT NULL DEFAULT 'normal' CHECK (priority IN ('low', 'normal', 'high', 'urgent')),
    subject_enc     bytea NOT NULL,
    reason          text,
    summary_enc     bytea,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    closed_at       timestamptz,
    -- Why a person closed it, beside why it came to one; who sees to it.
    close_reason_enc bytea,
    assigned_to     text
);
CREATE INDEX tickets_conversation ON tickets (conversation_id);
CREATE INDEX tickets_customer ON tickets (customer_id);
CREATE INDEX tickets_status ON tickets (status, updated_at DESC);

-- What people tell each other about a ticket. It has no route and no delivery: nothing here can go out.
CREATE TABLE notes (
    id              uuid PRIMARY KEY,
    ticket_id       text NOT NULL REFERENCES tickets (id),
    conversation_id uuid NOT NULL REFERENCES conversations (id),
    customer_id     uuid NOT NULL REFERENCES customers (id),
    author          text NOT NULL,
    text_enc        bytea NOT NULL,
    written_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX notes_conversation ON notes (conversation_id, written_at);
CREATE INDEX notes_customer ON notes (customer_id);

-- The delivery ledger: every message of ours goes out through one row, claimed before the provider is called.
CREATE TABLE deliveries (
    id              uuid PRIMARY KEY,
    message_id      uuid NOT NULL UNIQUE REFERENCES messages (id),
    conversation_id uuid NOT NULL REFERENCES conversations (id),
    route_id        uuid NOT NULL REFERENCES routes (id),
    channel         text NOT NULL CHECK (channel IN ('email', 'whatsapp', 'web')),
    author          text NOT NULL CHECK (author IN ('agent', 'human')),
    seq             bigint GENERATED ALWAYS AS IDENTITY,
    status          text NOT NULL DEFAULT 'queued' CHECK (status IN
                        ('queued', 'sending', 'unknown', 'deferred', 'sent', 'delivered', 'read', 'failed', 'rerouted',
                         'superseded')),
    -- The delivery on another channel that took over from this one.
    rerouted_to     uuid REFERENCES deliveries (id),
    attempt         int NOT NULL DEFAULT 0,
    claimed_until   timestamptz,
    next_at         timestamptz,
    unknown_since   timestamptz,
    provider_id     text,
    draft_id        text,
    error_code      text,
    arrived_at      timestamptz NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    finished_at     timestamptz,
    -- Waits for the customer to write back; asks_for: the held delivery that this template asks them back for.
    held            boolean NOT NULL DEFAULT false,
    template        jsonb,
    asks_for        uuid REFERENCES deliveries (id)
);
CREATE INDEX deliveries_held ON deliveries (route_id) WHERE held;
CREATE INDEX deliveries_route_open ON deliveries (route_id, seq)
    WHERE status IN ('queued', 'sending', 'unknown', 'deferred');
CREATE INDEX deliveries_conversation ON deliveries (conversation_id);
CREATE UNIQUE INDEX deliveries_provider ON deliveries (channel, provider_id) WHERE provider_id IS NOT NULL;

-- For whom a conversation waits: a person, who has not answered or not spoken yet, or whose words, or the agent's, did
-- not arrive; the agent; or its customer. since: the first message that waits, or the handover. spoke_at: when a person
-- last wrote, and it went out.
CREATE VIEW conversation_waits AS
SELECT c.id AS conversation_id, c.state,
       CASE WHEN c.state = 'closed' THEN NULL
            WHEN w.asked_since IS NOT NULL OR c.state = 'human' AND (w.failed OR unspoken.since IS NOT NULL)
                THEN 'person'
            WHEN w.open_since IS NOT NULL THEN 'agent'
            ELSE 'customer' END AS waits_for,
       CASE WHEN c.state = 'closed' THEN NULL ELSE coalesce(w.asked_since, unspoken.since, w.open_since) END AS since,
       spoke.at AS spoke_at
FROM conversations c
LEFT JOIN LATERAL (
    SELECT m.seq, m.received_at AS at
    FROM messages m JOIN deliveries d ON d.message_id = m.id
    WHERE m.conversation_id = c.id AND m.author = 'human' AND d.status NOT IN ('failed', 'superseded')
    ORDER BY m.seq DESC LIMIT 1
) spoke ON true
LEFT JOIN LATERAL (
    SELECT c.handed_over_at AS since
    WHERE c.state = 'human' AND (spoke.at IS NULL OR spoke.at < c.handed_over_at)
) unspoken ON true
LEFT JOIN LATERAL (
    SELECT min(m.received_at) FILTER (WHERE m.author = 'customer' AND m.outcome = 'escalated') AS asked_since,
           min(m.received_at) FILTER (WHERE m.author = 'customer' AND m.outcome IS NULL) AS open_since,
           coalesce(bool_or(d.status = 'failed' AND m.kind = 'message'), false) AS failed
    FROM messages m LEFT JOIN deliveries d ON d.message_id = m.id
    WHERE m.conversation_id = c.id AND m.seq > coalesce(spoke.seq, 0)
) w ON true;

-- A number on WhatsApp, by its keyed hash: when it wrote last, which opens WhatsApp's window for 24 hours, and
-- whether it asked us to stop. farewell is the one notice that may still go to a stopped number.
CREATE TABLE whatsapp_numbers (
    lookup        bytea PRIMARY KEY,
    last_wrote_at timestamptz,
    -- WhatsApp said that the window is closed, whatever we think of it.
    closed_at     timestamptz,
    -- When a template last asked the customer to write back.
    asked_at      timestamptz,
    stopped_at    timestamptz,
    stop_reason   text,
    farewell      uuid REFERENCES deliveries (id),
    -- When the latest STOP or START was said, which need not be when it came.
    commanded_at  timestamptz
);

-- The whole of an answer that WhatsApp had no room for: offered, then wanted, then sent by e-mail.
CREATE TABLE long_answers (
    id              uuid PRIMARY KEY,
    conversation_id uuid NOT NULL REFERENCES conversations (id),
    message_id      uuid NOT NULL REFERENCES messages (id),
    text_enc        bytea NOT NULL,
    language        text NOT NULL,
    state           text NOT NULL DEFAULT 'offered' CHECK (state IN ('offered', 'wanted', 'sent', 'lapsed')),
    delivery_id     uuid REFERENCES deliveries (id),
    created_at      timestamptz NOT NULL DEFAULT now(),
    changed_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX long_answers_open ON long_answers (conversation_id) WHERE state IN ('offered', 'wanted');

-- What the agent wants to ask later: once, in fixed words, unless something came in between. epoch and after_seq are
-- the conversation as it stood: a takeover, a return, a close, a merge or a later message of the customer's ends it.
CREATE TABLE follow_ups (
    id              uuid PRIMARY KEY,
    conversation_id uuid NOT NULL REFERENCES conversations (id),
    route_id        uuid NOT NULL REFERENCES routes (id),
    purpose         text NOT NULL CHECK (purpose IN ('did_it_work', 'still_open')),
    language        text NOT NULL,
    epoch           bigint NOT NULL,
    after_seq       bigint NOT NULL,
    due_at          timestamptz NOT NULL,
    state           text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'said', 'dropped')),
    -- Why it was dropped.
    reason          text,
    message_id      uuid REFERENCES messages (id),
    created_at      timestamptz NOT NULL DEFAULT now(),
    decided_at      timestamptz
);
CREATE UNIQUE INDEX follow_ups_waiting ON follow_ups (conversation_id) WHERE state = 'waiting';
CREATE INDEX follow_ups_due ON follow_ups (due_at) WHERE state = 'waiting';
CREATE INDEX follow_ups_conversation ON follow_ups (conversation_id, created_at);

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
CREATE INDEX verifications_customer ON verifications (customer_id, created_at);
CREATE UNIQUE INDEX verifications_secret ON verifications (secret) WHERE kind = 'link';
CREATE INDEX verifications_links ON verifications (created_at) WHERE kind = 'link';

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
CREATE INDEX ratings_customer ON ratings (customer_id);

-- Asked once, for a ticket that is closed: how content its customer is. The answer is a row of ratings.
CREATE TABLE surveys (
    ticket_id   text PRIMARY KEY REFERENCES tickets (id),
    -- The question. On WhatsApp a bare number after it is the answer; in a mail a link, of which secret is a keyed hash.
    delivery_id uuid NOT NULL REFERENCES deliveries (id),
    channel     text NOT NULL CHECK (channel IN ('email', 'whatsapp', 'web')),
    language    text NOT NULL,
    secret      bytea,
    asked_at    timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL
);
CREATE INDEX surveys_delivery ON surveys (delivery_id);
CREATE INDEX surveys_asked ON surveys (asked_at);
CREATE UNIQUE INDEX surveys_secret ON surveys (secret) WHERE secret IS NOT NULL;

-- Why the agent said what it said: one row a reply or handoff.
CREATE TABLE decisions (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    conversation_id uuid NOT NULL REFERENCES conversations (id),
    customer_id     uuid NOT NULL REFERENCES customers (id),
    message_id      uuid REFERENCES messages (id),
    outcome         text NOT NULL,
    reason          text,
    model           text NOT NULL,
    instructions    text NOT NULL,
    tokens_in       int NOT NULL DEFAULT 0,
    tokens_out      int NOT NULL DEFAULT 0,
    sentiment       real,
    record_enc      bytea NOT NULL,
    decided_at      timestamptz NOT NULL DEFAULT now(),
    -- What the model cost in US dollars; null: its price is not known.
    cost_usd        double precision
);
CREATE INDEX decisions_conversation ON decisions (conversation_id);
CREATE INDEX decisions_customer ON decisions (customer_id);

-- What failed for good, kept as it came so that a replay is the same event. data_enc is under the service key.
CREATE TABLE dead_letters (
    id          uuid PRIMARY KEY,
    event_id    text NOT NULL,
    event_type  text NOT NULL,
    source      text NOT NULL,
    topic       text NOT NULL,
    key         text NOT NULL DEFAULT '',
    attributes  jsonb NOT NULL,
    data_enc    bytea NOT NULL,
    cause       text NOT NULL,
    error_code  int,
    failures    int NOT NULL DEFAULT 1,
    status      text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'replayed', 'discarded')),
    note        text,
    arrived_at  timestamptz NOT NULL DEFAULT now(),
    decided_at  timestamptz,
    UNIQUE (topic, event_id, source)
);
CREATE INDEX dead_letters_status ON dead_letters (status, arrived_at DESC);

-- How far each channel was read, and how it is.
CREATE TABLE channel_cursors (
    channel         text PRIMARY KEY CHECK (channel IN ('email', 'whatsapp', 'web')),
    cursor          text,
    watch_expires   timestamptz,
    next_due        timestamptz,
    seen_at         timestamptz,
    degraded_reason text,
    degraded_since  timestamptz
);
-- Due from the start: the first sweep polls the mailbox, and so makes the first watch.
INSERT INTO channel_cursors (channel, next_due) VALUES ('email', now());
-- Where listing WhatsApp's messages may begin: what came before us is not ours to answer.
INSERT INTO channel_cursors (channel, cursor, next_due) VALUES ('whatsapp', now()::text, now());

-- What operators did: who is the token's name, never a customer.
CREATE TABLE operator_actions (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    action     text NOT NULL,
    subject    text NOT NULL,
    details    jsonb NOT NULL DEFAULT '{}',
    acted_at   timestamptz NOT NULL DEFAULT now()
);

-- What a merge moved, so that it can be undone exactly.
CREATE TABLE customer_merges (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    winner    uuid NOT NULL REFERENCES customers (id),
    loser     uuid NOT NULL REFERENCES customers (id),
    moved     jsonb NOT NULL,
    merged_at timestamptz NOT NULL DEFAULT now(),
    undone_at timestamptz,
    -- What joined the two: an operator, a code said on the other side, or the link in our mail.
    cause     text NOT NULL DEFAULT 'operator' CHECK (cause IN ('operator', 'code', 'link')),
    CHECK (winner <> loser)
);
CREATE INDEX customer_merges_winner ON customer_merges (winner);
CREATE INDEX customer_merges_loser ON customer_merges (loser);

-- The data keys of texts that belong to no customer, wrapped by the master key.
CREATE TABLE service_keys (
    name     text PRIMARY KEY,
    data_key bytea NOT NULL
);

CREATE TABLE knowledge_documents (
    id           text NOT NULL,
    version      int NOT NULL,
    title        text NOT NULL,
    url          text NOT NULL DEFAULT '',
    product      text NOT NULL DEFAULT '',
    language     text NOT NULL DEFAULT 'en',
    audience     text NOT NULL DEFAULT '',
    content_hash text NOT NULL,
    active       boolean NOT NULL DEFAULT true,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, version)
);
CREATE UNIQUE INDEX knowledge_documents_active ON knowledge_documents (id) WHERE active;

-- length: words of the headings, counted twice, and of the text; 0: not indexed yet. dictionary stems them.
-- embedding and embedding_model are what functions before knowledge_vectors wrote and read.
CREATE TABLE knowledge_base (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    document_id     text NOT NULL,
    version         int NOT NULL,
    ordinal         int NOT NULL,
    heading_path    text NOT NULL DEFAULT '',
    content         text NOT NULL,
    tsv             tsvector GENERATED ALWAYS AS
                        (setweight(to_tsvector('english', heading_path), 'A') || setweight(to_tsvector('english', content), 'B')) STORED,
    embedding       vector(256),
    embedding_model text NOT NULL DEFAULT '',
    active          boolean NOT NULL DEFAULT true,
    product         text NOT NULL DEFAULT '',
    language        text NOT NULL DEFAULT 'en',
    audience        text NOT NULL DEFAULT '',
    dictionary      text NOT NULL DEFAULT 'english_stem',
    length          int NOT NULL DEFAULT 0,
    UNIQUE (document_id, version, ordinal),
    FOREIGN KEY (document_id, version) REFERENCES knowledge_documents (id, version)
);
CREATE INDEX knowledge_base_tsv ON knowledge_base USING gin (tsv);
CREATE INDEX knowledge_base_embedding ON knowledge_base USING hnsw (embedding vector_cosine_ops);

-- How often a passage that is searched has a stem in its headings and in its text; `a b` is a pair of telling stems.
CREATE TABLE knowledge_terms (
    lexeme     text NOT NULL,
    passage_id bigint NOT NULL,
    heading    int NOT NULL,
    body       int NOT NULL,
    PRIMARY KEY (lexeme, passage_id)
);
CREATE INDEX knowledge_terms_passage ON knowledge_terms (passage_id);

-- A passage's vectors by one model: of all of it, of its headings, and of each sentence. All have the model's width,
-- filled up with zeros to the next that has an index; wider ones than 3072 are compared one by one.
CREATE TABLE knowledge_vectors (
    passage_id bigint NOT NULL REFERENCES knowledge_base (id),
    model      text NOT NULL,
    embedding  vector NOT NULL,
    heading    vector,
    sentences  vector[],
    PRIMARY KEY (passage_id, model)
);
CREATE INDEX knowledge_vectors_embedding_256 ON knowledge_vectors
    USING hnsw ((embedding::vector(256)) vector_cosine_ops) WHERE vector_dims(embedding) = 256;
CREATE INDEX knowledge_vectors_embedding_768 ON knowledge_vectors
    USING hnsw ((embedding::vector(768)) vector_cosine_ops) WHERE vector_dims(embedding) = 768;
CREATE INDEX knowledge_vectors_embedding_1024 ON knowledge_vectors
    USING hnsw ((embedding::vector(1024)) vector_cosine_ops) WHERE vector_dims(embedding) = 1024;
CREATE INDEX knowledge_vectors_embedding_1536 ON knowledge_vectors
    USING hnsw ((embedding::vector(1536)) vector_cosine_ops) WHERE vector_dims(embedding) = 1536;
CREATE INDEX knowledge_vectors_embedding_3072 ON knowledge_vectors
    USING hnsw ((embedding::halfvec(3072)) halfvec_cosine_ops) WHERE vector_dims(embedding) = 3072;

-- The model whose vectors are searched, and a number that changes with the passages: one row.
CREATE TABLE knowledge_index (
    one      boolean PRIMARY KEY DEFAULT true CHECK (one),
    model    text NOT NULL DEFAULT '',
    revision bigint NOT NULL DEFAULT 0
);
INSERT INTO knowledge_index DEFAULT VALUES;
