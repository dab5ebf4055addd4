"""What a record is: classes, field groups, schemas."""
