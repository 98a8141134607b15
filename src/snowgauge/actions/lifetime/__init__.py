"""How long data lives and how it leaves: retention, erasure, export, backup, moving between stores."""
