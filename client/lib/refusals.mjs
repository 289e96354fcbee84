// Why an ask does not fit an order, in words.

const REASONS = {
	noAsks: 'Nobody offers this class in this asset.',
	ownAsk: "It is the renter's own.",
	price: 'It costs more than the order allows.',
	term: 'It does not allow this term.',
	notLive: 'Its provider sends no reports.',
	gpus: 'It has fewer free GPUs than a node needs.',
	busy: 'Its provider serves as many leases as it may.',
	excluded: 'Its provider serves another node of this lease, or failed it.',
	country: 'It is in a country that the order does not allow.',
	uptime: "Its provider's uptime is too low, or not known yet.",
	ownerLimit: 'Its owner would have more nodes than the order allows.',
	countryLimit: 'Its country would have more nodes than the order allows.',
	networkLimit: 'Its network would have more nodes than the order allows.',
};

/** A refusal as a sentence. */
export const reasonFor = (refusal) => REASONS[refusal[0].toLowerCase() + refusal.slice(1)] ?? refusal;
