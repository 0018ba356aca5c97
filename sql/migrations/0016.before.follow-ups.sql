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
