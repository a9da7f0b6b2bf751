"""HTTP: requests, responses, connections, TLS, proxies, uploads and downloads."""
