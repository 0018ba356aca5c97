-- A model gives as many numbers as it gives: a vector has the width of its model, and each common width its own index.
-- HNSW takes up to 2,000 numbers, and up to 4,000 of half precision; wider vectors are compared one by one.
DROP INDEX knowledge_vectors_embedding;
ALTER TABLE knowledge_vectors
    ALTER COLUMN embedding TYPE vector,
    ALTER COLUMN heading TYPE vector,
    ALTER COLUMN sentences TYPE vector[];
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
