"""The LightningModule and what trains, resumes, logs and saves it."""
