"""Requests, responses and the wire: HTTP/1.1, TLS, proxies, uploads and downloads."""
