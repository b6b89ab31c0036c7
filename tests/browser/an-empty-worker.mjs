// A module worker with nothing in it yet.
