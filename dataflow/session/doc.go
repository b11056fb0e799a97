// Package session groups rows by key and session: a maximal run of rows in which the next one by event time is always
// less than the gap away. A row exactly the gap after another belongs to the next session.
//
// Rows come in, in any order that the watermark allows, and open, extend or bridge the sessions of their key; sessions
// that a row bridges merge with their aggregates. A session ends at its latest event time plus the gap. A watermark at or
// after that end releases it: the results go out in the order of their ends. What comes out depends neither on batches
// nor on parallelism.
//
// A row is late if it touches no open session and the session that it would open has ended already, that is if its event
// time plus the gap is not after the watermark. It is dropped and counted. A row that is behind the watermark by less than
// the gap, or that touches an open session, is not late, even if it also touches one that was released.
//
// Batches are only borrowed; results are lent until the next call. A row costs the same however many keys there are and
// walks only over the open sessions of its key that lie after it; a watermark costs what it releases. Nothing here blocks.
package session
