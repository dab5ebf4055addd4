"""What a record is: classes, field groups, data types, schemas and what they say of fields."""
