// Package window groups rows by key and time window: tumbling windows, hopping ones that overlap, and ones that grow.
//
// Rows come in with an event time. Each falls into a pane, a slice of time from which every window is put together, and
// accumulates in the pane's table. A watermark releases every window that ends at or before it: its results go out in the
// order of windows and, within a window, of the keys' first appearance. A row whose pane has been released is late: it is
// dropped and counted.
//
// Batches are only borrowed; results are lent until the next call. All work is proportional to the panes that exist, so
// that a watermark at the end of time is as cheap as any other. Nothing here blocks.
package window
