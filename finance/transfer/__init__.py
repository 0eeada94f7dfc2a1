"""Files on other parties' servers: SFTP and S3 behind one protocol."""
