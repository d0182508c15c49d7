"""Who answers: what is admitted, carried out once, remembered and replied."""
