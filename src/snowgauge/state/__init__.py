"""What all machines of a deployment share: documents and tables, in the data folder or in the store's database."""
