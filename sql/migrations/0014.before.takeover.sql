-- Why a person closed it, beside why it came to one; who sees to it.
ALTER TABLE tickets ADD COLUMN close_reason_enc bytea;
ALTER TABLE tickets ADD COLUMN assigned_to text;
-- What the model cost in US dollars; null: its price is not known.
ALTER TABLE decisions ADD COLUMN cost_usd double precision;

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
CREATE INDEX conversations_human ON conversations (last_activity_at) WHERE state = 'human';

-- For whom a conversation waits: a person, who has not answered yet or whose words, or the agent's, did not arrive;
-- the agent; or its customer. since: the first message that waits. spoke_at: when a person last wrote, and it went out.
CREATE VIEW conversation_waits AS
SELECT c.id AS conversation_id, c.state,
       CASE WHEN c.state = 'closed' THEN NULL
            WHEN w.asked_since IS NOT NULL OR c.state = 'human' AND w.failed THEN 'person'
            WHEN w.open_since IS NOT NULL THEN 'agent'
            ELSE 'customer' END AS waits_for,
       CASE WHEN c.state = 'closed' THEN NULL ELSE coalesce(w.asked_since, w.open_since) END AS since,
       spoke.at AS spoke_at
FROM conversations c
LEFT JOIN LATERAL (
    SELECT m.seq, m.received_at AS at
    FROM messages m JOIN deliveries d ON d.message_id = m.id
    WHERE m.conversation_id = c.id AND m.author = 'human' AND d.status NOT IN ('failed', 'superseded')
    ORDER BY m.seq DESC LIMIT 1
) spoke ON true
LEFT JOIN LATERAL (
    SELECT min(m.received_at) FILTER (WHERE m.author = 'customer' AND m.outcome = 'escalated') AS asked_since,
           min(m.received_at) FILTER (WHERE m.author = 'customer' AND m.outcome IS NULL) AS open_since,
           coalesce(bool_or(d.status = 'failed' AND m.kind = 'message'), false) AS failed
    FROM messages m LEFT JOIN deliveries d ON d.message_id = m.id
    WHERE m.conversation_id = c.id AND m.seq > coalesce(spoke.seq, 0)
) w ON true;
