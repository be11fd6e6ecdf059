"""The guided tour: three small networks learn, read a sentence, and are looked at.

reader.py    the network that reads (an embedding, a recurrent cell, one output)
tour_training.py  learning the sentiment of real sentences, and how well it went
reading.py   what happens inside while a sentence is read, word by word
verdicts.py  what the gates really do, measured on held-out sentences, in words
pictures.py  the unrolled graph and the plots
tour_page.py      one page with everything
tour.py   `minigrad tour`: the order of it all
"""
