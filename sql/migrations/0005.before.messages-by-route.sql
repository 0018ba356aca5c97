-- A ticket's page, and what a delivery answers, are read by route.
CREATE INDEX messages_route ON messages (route_id, seq);
