"""The product: projects, contacts, campaigns, removal requests, and the pipeline that sends."""
