"""The second wall: PostgreSQL keeps the rows of workspaces apart by itself."""
