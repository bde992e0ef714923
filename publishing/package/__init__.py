"""What may be sent: files by an allow-list, checked, without secrets, the card merged."""
