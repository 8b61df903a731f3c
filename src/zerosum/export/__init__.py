"""Export: samples as pictures, arrays and archives."""
