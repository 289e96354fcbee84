//! Events: what an indexer needs to follow every ask, order, bid, lease and job without reading storage.

use frame_support::pallet_macros::pallet_section;

/// The pallet's events.
#[pallet_section]
mod events {
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A provider offers GPUs.
		AskPosted {
			/// The new ask.
			ask: AskId,
			/// Who offers.
			provider: T::AccountId,
			/// What is offered.
			terms: AskTerms,
			/// When it ends by itself, in milliseconds.
			expires_at: Moment,
			/// Held of the provider, in plancks.
			deposit: Balance,
		},
		/// A provider took its offer back. Leases from it stay.
		AskWithdrawn {
			/// The ask that is gone.
			ask: AskId,
			/// Whose it was.
			provider: T::AccountId,
			/// Released to the provider, in plancks.
			deposit: Balance,
		},
		/// An offer's time is over. Leases from it stay.
		AskExpired {
			/// The ask that is gone.
			ask: AskId,
			/// Whose it was.
			provider: T::AccountId,
			/// Released to the provider, in plancks.
			deposit: Balance,
		},
		/// An ask can be taken again, or for the first time.
		AskListed {
			/// The ask.
			ask: AskId,
		},
		/// An ask cannot be taken for now: its GPUs are leased or not healthy, or its provider does not report.
		AskUnlisted {
			/// The ask.
			ask: AskId,
		},
		/// A renter placed an order.
		OrderPlaced {
			/// The order.
			order: OrderId,
			/// Who ordered.
			renter: T::AccountId,
			/// What was ordered.
			terms: OrderTerms,
		},
		/// An order waits: for its start, for its auction's end, or for capacity.
		OrderWaits {
			/// The order.
			order: OrderId,
			/// What for.
			waiting: Waiting,
			/// When it ends by itself, in milliseconds.
			expires_at: Moment,
			/// Held of the renter while it waits, in plancks.
			deposit: Balance,
		},
		/// A renter took a waiting order back. Everything held for it was released.
		OrderCancelled {
			/// The order that is gone.
			order: OrderId,
			/// Whose it was.
			renter: T::AccountId,
			/// Deposit released to the renter, in plancks.
			deposit: Balance,
		},
		/// A waiting order's time is over. Everything held for it was released.
		OrderExpired {
			/// The order that is gone.
			order: OrderId,
			/// Whose it was.
			renter: T::AccountId,
			/// Deposit released to the renter, in plancks.
			deposit: Balance,
		},
		/// A provider bids, or bids lower than before.
		BidPlaced {
			/// The order.
			order: OrderId,
			/// Who bids.
			provider: T::AccountId,
			/// Price per GPU and second.
			price: Balance,
			/// Held of the provider, in plancks.
			deposit: Balance,
		},
		/// A bid is gone, and its deposit was released: withdrawn, outbid from a full list, or its order is decided.
		BidReleased {
			/// The order.
			order: OrderId,
			/// Whose bid it was.
			provider: T::AccountId,
			/// Released to the provider, in plancks.
			deposit: Balance,
			/// Whether the bid won.
			won: bool,
		},
		/// A lease begins: GPUs are reserved. A [`Event::NodeAssigned`] for each node came before.
		LeaseOpened {
			/// The new lease; it has the number of its order.
			lease: LeaseId,
			/// Who pays.
			renter: T::AccountId,
			/// Nodes.
			nodes: u32,
			/// Price of all nodes, per second.
			rate: Balance,
			/// Held of the renter, after what the match does not need was given back.
			deposit: Balance,
			/// Time that this pays for, in milliseconds.
			funded_ms: u64,
		},
		/// A provider is to serve a node of a lease.
		NodeAssigned {
			/// The lease.
			lease: LeaseId,
			/// The node.
			node: NodeIndex,
			/// Who serves it.
			provider: T::AccountId,
			/// The ask that it was taken from; none if it was won by a bid.
			ask: Option<AskId>,
			/// The GPUs.
			gpus: Vec<GpuIndex>,
			/// Price per GPU and second.
			price: Balance,
			/// How often the node changed its provider.
			generation: u32,
		},
		/// Every node of a lease was attested: billing starts.
		LeaseReady {
			/// The lease.
			lease: LeaseId,
			/// Time since it was opened, in milliseconds.
			after_ms: u64,
			/// When its term ends, in milliseconds since the Unix epoch; none if it is open-ended.
			ends_at: Option<Moment>,
		},
		/// All GPUs of a node were attested for the first time by its provider.
		NodeReady {
			/// The lease.
			lease: LeaseId,
			/// The node.
			node: NodeIndex,
			/// Time since it was assigned, in milliseconds.
			after_ms: u64,
		},
		/// A report attested a node.
		LeaseAttested {
			/// The lease.
			lease: LeaseId,
			/// The node.
			node: NodeIndex,
			/// Attested time that this adds to the bill, in milliseconds.
			ms: u64,
			/// Time during which a kernel was running, as the worker claims, in milliseconds.
			busy_ms: u32,
			/// New head of the lease's hash chain of usage.
			usage_chain: Hash,
		},
		/// A job of a node has a newer checkpoint.
		CheckpointPosted {
			/// The lease.
			lease: LeaseId,
			/// The node.
			node: NodeIndex,
			/// What to go on from.
			checkpoint: Checkpoint,
		},
		/// The provider of a node missed its reports: nothing of it is billed until it is back.
		NodeSuspended {
			/// The lease.
			lease: LeaseId,
			/// The node.
			node: NodeIndex,
			/// Last attestation, in milliseconds since the Unix epoch: time after it is not billed.
			attested_at: Moment,
		},
		/// The provider of a suspended node is back.
		NodeResumed {
			/// The lease.
			lease: LeaseId,
			/// The node.
			node: NodeIndex,
			/// Time since its last attestation, in milliseconds; it is not billed.
			dark_ms: u64,
		},
		/// A provider gave notice.
		NoticeGiven {
			/// The lease.
			lease: LeaseId,
			/// The node.
			node: NodeIndex,
			/// When it leaves, in milliseconds since the Unix epoch.
			until: Moment,
		},
		/// A provider left before its notice ended.
		ProviderLeft {
			/// The lease.
			lease: LeaseId,
			/// The node.
			node: NodeIndex,
			/// Who left.
			provider: T::AccountId,
			/// Moved from its bond to the renter, in plancks.
			penalty: Balance,
		},
		/// A node has no provider any more. Another one is looked for if the order wants that.
		NodeFaulted {
			/// The lease.
			lease: LeaseId,
			/// The node.
			node: NodeIndex,
			/// Who is out.
			provider: T::AccountId,
			/// Why.
			cause: FaultCause,
		},
		/// The renter made the term longer.
		LeaseExtended {
			/// The lease.
			lease: LeaseId,
			/// Added to the term, in milliseconds.
			extra_ms: u64,
			/// Held in addition.
			amount: Balance,
			/// The new end in milliseconds since the Unix epoch, if the lease is ready.
			ends_at: Option<Moment>,
		},
		/// The renter made the term shorter.
		LeaseShrunk {
			/// The lease.
			lease: LeaseId,
			/// The new term, in milliseconds.
			term_ms: u64,
			/// Given back.
			amount: Balance,
			/// The new end in milliseconds since the Unix epoch, if the lease is ready.
			ends_at: Option<Moment>,
		},
		/// The renter added funds.
		LeaseToppedUp {
			/// The lease.
			lease: LeaseId,
			/// Held in addition.
			amount: Balance,
			/// When the funds end if every node is attested all the time, in milliseconds since the Unix epoch.
			funded_until: Option<Moment>,
		},
		/// The funds end soon. Top up, or the lease is frozen and then closed.
		LowBalance {
			/// The lease.
			lease: LeaseId,
			/// When jobs are frozen, in milliseconds since the Unix epoch.
			freezes_at: Moment,
			/// When the funds end, in milliseconds since the Unix epoch.
			funded_until: Moment,
		},
		/// The funds are almost used up: jobs are frozen, the GPUs are held until the funds end.
		LeaseFrozen {
			/// The lease.
			lease: LeaseId,
			/// When the funds end, in milliseconds since the Unix epoch.
			funded_until: Moment,
		},
		/// A frozen lease is funded again.
		LeaseThawed {
			/// The lease.
			lease: LeaseId,
		},
		/// The renter wants a plan to be run.
		JobSubmitted {
			/// The lease.
			lease: LeaseId,
			/// The node that it runs on.
			node: NodeIndex,
			/// Number of the job.
			job: JobId,
			/// BLAKE3 hash of the plan.
			plan: BlobHash,
		},
		/// A job has a result.
		JobFinished {
			/// The lease.
			lease: LeaseId,
			/// Number of the job.
			job: JobId,
			/// How it ended.
			outcome: JobOutcome,
		},
		/// A lease is over. The receipt is the escrow's `EscrowClosed`: in the same block if nothing is pending, else when
		/// the contest window is over.
		LeaseClosed {
			/// The lease.
			lease: LeaseId,
			/// Why.
			reason: CloseReason,
			/// When billing started, if it did, in milliseconds since the Unix epoch.
			ready_at: Option<Moment>,
			/// Time attested on all nodes together, in milliseconds.
			attested_ms: u64,
			/// Given back to the renter in this block.
			refunded: Balance,
			/// Earned, and still held until the contest window is over.
			pending: Balance,
		},
		/// Governance paused the market: nothing new is offered, ordered or matched, and no time counts against providers.
		MarketPaused,
		/// Governance resumed the market.
		MarketResumed,
		/// Something happened that the pallet's own rules exclude. No money was moved by it. Please report it.
		Unexpected {
			/// What.
			kind: UnexpectedKind,
		},
	}
}
