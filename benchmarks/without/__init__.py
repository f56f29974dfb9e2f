"""imagelane with guarantees left out, to see what each costs. Only for measuring: no option of the
product does this, and nothing that it makes is to be trusted."""
