"""The nodes of n8n, `integrations/n8n`."""
