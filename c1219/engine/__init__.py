"""From declarations to codecs: what is declared, what is bound to one device, and the two codecs of what is bound."""
