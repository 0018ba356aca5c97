-- WhatsApp's rules: the 24-hour window, the block list, held replies with their templates, and long answers.

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
    farewell      uuid REFERENCES deliveries (id)
);
INSERT INTO whatsapp_numbers (lookup, last_wrote_at)
SELECT i.lookup, max(m.received_at)
FROM customer_identifiers i JOIN messages m ON m.customer_id = i.customer_id
WHERE i.kind = 'phone' AND i.trust = 'verified' AND m.channel = 'whatsapp' AND m.author = 'customer'
GROUP BY i.lookup;

-- held: waits for the customer to write back; asks_for: the held delivery that this template asks them back for.
ALTER TABLE deliveries ADD COLUMN held boolean NOT NULL DEFAULT false;
ALTER TABLE deliveries ADD COLUMN template jsonb;
ALTER TABLE deliveries ADD COLUMN asks_for uuid REFERENCES deliveries (id);
CREATE INDEX deliveries_held ON deliveries (route_id) WHERE held;

-- When a file that is still at its provider may be asked for again; a claim of whoever asks.
ALTER TABLE attachments ADD COLUMN next_at timestamptz;

-- The customer took the message back, or wrote another in its place.
ALTER TABLE messages ADD COLUMN withdrawn_at timestamptz;

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

-- For the listing of what was missed: which ids are stored since a time.
CREATE INDEX messages_whatsapp ON messages (received_at) WHERE channel = 'whatsapp' AND provider_message_id IS NOT NULL;

-- Where listing WhatsApp's messages may begin: what came before us is not ours to answer.
INSERT INTO channel_cursors (channel, cursor, next_due) VALUES ('whatsapp', now()::text, now())
ON CONFLICT (channel) DO UPDATE SET cursor = coalesce(channel_cursors.cursor, excluded.cursor),
                                    next_due = coalesce(channel_cursors.next_due, excluded.next_due);
