"""Generates the nodes of the n8n package from the declarations of the actions.

python -m integrations.n8n.generator [--check]

One node for each service: a resource for each area, and an operation for each action. The nodes are
declarative: `routing` describes the HTTP request to `ninjaone serve`, and n8n sends it.
"""
