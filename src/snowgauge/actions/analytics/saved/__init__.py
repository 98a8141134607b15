"""What people keep of their questions: segments, annotations and share links, in ``console.sqlite``."""
