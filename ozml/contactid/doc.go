// Package contactid is the words of Ademco Contact ID (SIA DC-05-1999.09): what an
// alarm panel reports, in 16 digits.
//
// A [Message] is account, event, partition, zone; [New] makes one of what a person
// wrote, [Parse] of 16 digits. [EventName] has words for the codes of events.
//
// It is a leaf, standard library only: the language checks parameters by it and the
// switch (switch/alarm, which has the sound) reads what came.
package contactid
