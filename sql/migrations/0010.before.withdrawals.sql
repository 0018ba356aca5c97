-- Twilio's id of the message that this one takes back or replaces: it may be stored after us.
ALTER TABLE messages ADD COLUMN withdraws text;
CREATE INDEX messages_withdraws ON messages (route_id, withdraws) WHERE withdraws IS NOT NULL;
